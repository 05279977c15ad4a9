// A Go library for C programs.
package main

import "C"

import "example.com/service/work"

//export Work
func Work(n C.int) C.int {
	sum := 0
	for ; n > 0; n-- {
		sum += work.Loop(10)
	}
	return C.int(sum)
}

func main() {}

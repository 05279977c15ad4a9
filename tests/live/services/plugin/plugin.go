// A plugin with a package of its own and one that it shares with its host.
package main

import "example.com/service/work"

// Work is what the host calls.
func Work(n int) int {
	sum := 0
	for ; n > 0; n-- {
		sum += work.Loop(10)
	}
	return sum
}

func main() {}

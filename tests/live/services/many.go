package main

// The functions that many() executes for the first time while somebody reads the counters: they are in
// many_functions.go, which the tests generate.
var functions []func(int) int

// many calls the next n of them.
func many(n int) {
	for ; n > 0 && len(functions) > 0; n-- {
		functions[0](n)
		functions = functions[1:]
	}
}

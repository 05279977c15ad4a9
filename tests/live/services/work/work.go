// Package work is what all the services in this directory execute.
package work

// Loop counts in a way that is easy to work out: n rounds, a third of them rounded up "divisible".
func Loop(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		if i%3 == 0 {
			sum += i
		} else {
			sum--
		}
	}
	return sum
}

// Never is never called.
func Never(n int) int {
	if n > 2 {
		return 1
	}
	return 2
}

var literal = func(n int) int { return n + 1 }

// Literal calls a function literal of a package variable, which has counters of its own.
func Literal(n int) int {
	return literal(n)
}

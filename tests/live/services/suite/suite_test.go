// Package suite is a test binary that runs until its standard input ends, as an end-to-end test does.
package suite

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"example.com/service/work"
)

func TestServe(t *testing.T) {
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); fmt.Println("done") {
		var n int
		fmt.Sscanf(in.Text(), "work %d", &n)
		work.Loop(n)
	}
}

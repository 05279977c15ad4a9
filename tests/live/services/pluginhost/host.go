// A service that loads a plugin when it is told to.
package main

import (
	"bufio"
	"fmt"
	"os"
	"plugin"
	"strings"

	"example.com/service/work"
)

func load(path string) func(int) int {
	p, err := plugin.Open(path)
	if err != nil {
		panic(err)
	}
	symbol, err := p.Lookup("Work")
	if err != nil {
		panic(err)
	}
	return symbol.(func(int) int)
}

func main() {
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	call := func(n int) int { return work.Literal(n) }
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch words[0] {
		case "plugin":
			call = load(words[1])
		case "work":
			call(3)
		}
		fmt.Println("done")
	}
}

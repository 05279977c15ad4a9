// A service that executes one command a line, and says when it has.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime/coverage"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/service/work"
)

var (
	stop   atomic.Bool
	ended  = make(chan bool)
	busy   int
	rounds atomic.Int64
)

// load runs until it is stopped; with a pause now and then, lest a counter pass 32 bits and begin anew.
func load() {
	for !stop.Load() {
		work.Loop(20)
		work.Literal(1)
		if rounds.Add(1)%100 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	ended <- true
}

func start(n int) {
	stop.Store(false)
	for busy = 0; busy < n; busy++ {
		go load()
	}
}

func end() {
	stop.Store(true)
	for ; busy > 0; busy-- {
		<-ended
	}
}

// spawn runs a short-lived program n times: each is a child of this process for a moment.
func spawn(n int) {
	for i := 0; i < n; i++ {
		if err := exec.Command("/bin/true").Run(); err != nil {
			panic(err)
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func do(words []string) {
	switch words[0] {
	case "work":
		for i := number(words[1]); i > 0; i-- {
			work.Loop(10)
		}
	case "literal":
		work.Literal(1)
	case "load":
		start(number(words[1]))
	case "end":
		end()
	case "many":
		many(number(words[1]))
	case "spawn":
		spawn(number(words[1]))
	case "write":
		must(coverage.WriteCountersDir(words[1]))
	case "clear":
		must(coverage.ClearCounters())
	case "chdir":
		must(os.Chdir(words[1]))
	case "undumpable":
		undumpable()
	case "chroot", "clearenv", "title", "hide", "setuid":
		leave(words)
	case "exec":
		must(syscall.Exec(words[1], words[1:], os.Environ()))
	}
}

func serve(in *bufio.Scanner) {
	for in.Scan() {
		do(strings.Fields(in.Text()))
		fmt.Println("done")
	}
}

func main() {
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	if onFirstThread {
		leaveFirstThread(in)
	}
	serve(in)
}

func undumpable() {
	const setDumpable = 4
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0); e != 0 {
		panic(e)
	}
}

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// With the argument "leave-thread" the program's first thread ends when it begins to serve.
var onFirstThread = len(os.Args) > 1 && os.Args[1] == "leave-thread"

func init() {
	if onFirstThread {
		runtime.LockOSThread()
	}
}

func leaveFirstThread(in *bufio.Scanner) {
	go func() {
		serve(in)
		os.Exit(0)
	}()
	syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
}

// leave takes away by what others tell where the program belongs.
func leave(words []string) {
	switch words[0] {
	case "chroot":
		must(syscall.Chroot(words[1]))
		must(os.Chdir("/"))
	case "clearenv":
		os.Clearenv()
	case "title":
		title(strings.Join(words[2:], " "), words[1] == "all")
	case "hide":
		hide()
	case "setuid":
		must(syscall.Setgid(number(words[1])))
		must(syscall.Setuid(number(words[1])))
	}
}

// title does what setproctitle(3) does: it writes over the arguments, and the environment behind them; over all of
// it, or as far as the title goes.
func title(text string, all bool) {
	stat, err := os.ReadFile("/proc/self/stat")
	must(err)
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+2:])
	var from, end int64
	fmt.Sscan(string(fields[45]), &from)
	fmt.Sscan(string(fields[48]), &end)
	memory, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
	must(err)
	block := append([]byte(text), 0)
	if all {
		block = make([]byte, end-from)
		copy(block, text)
	}
	_, err = memory.WriteAt(block, from)
	must(err)
}

// hide writes over the beginning of the program's line table, which the runtime looks at only at its start: whoever
// looks for the program in memory by that does not find it.
func hide() {
	magic := []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}
	maps, err := os.ReadFile("/proc/self/maps")
	must(err)
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	must(err)
	for _, line := range strings.Split(string(maps), "\n") {
		var from, end int64
		var flags string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &end, &flags); n != 3 || flags != "r--p" {
			continue
		}
		data := make([]byte, end-from)
		memory.ReadAt(data, from)
		for at := 0; at+16 <= len(data); at += 16 {
			if bytes.Equal(data[at:at+8], magic) {
				_, err = memory.WriteAt(make([]byte, 4), from+int64(at))
				must(err)
			}
		}
	}
}

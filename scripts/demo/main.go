// Demo is a small web service as anybody writes one. Nothing in it knows of coverage: it is built with
// "go build -cover", and the Go runtime and goverage.fcgi do the rest.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// main serves until SIGTERM or SIGINT. Its coverage can be read all the time; that it returns, and is not
// killed by the signal, only matters to Go, which then writes the counters to a file.
func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &http.Server{Handler: routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	fmt.Printf("http://%s\n", listener.Addr())
	<-ctx.Done()
}

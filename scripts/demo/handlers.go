package main

import (
	"fmt"
	"net/http"

	"example.org/demo/internal/sum"
)

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", hello)
	mux.HandleFunc("/sum", add)
	return mux
}

// hello greets: /hello?name=Ada
func hello(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "stranger"
	}
	fmt.Fprintf(w, "Hello, %s!\n", name)
}

// add adds two whole numbers: /sum?a=19&b=23
func add(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	total, err := sum.Of(query.Get("a"), query.Get("b"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, total)
}

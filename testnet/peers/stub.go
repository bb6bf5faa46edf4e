//go:build !peers

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "peers: this program has dependencies of its own; run it with: make bench-peers")
	os.Exit(1)
}

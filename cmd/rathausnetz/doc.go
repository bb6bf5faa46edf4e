// Command rathausnetz is the one binary: it runs a node, a demonstration
// network, and everything an operator says to either. Each subcommand is a
// thin file; what it does is in the package it calls.
package main

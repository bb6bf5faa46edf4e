// Package clocktest is a clock that tests move.
package clocktest

// Package systemd speaks with the service manager that started the process:
// it takes over listening sockets, says when the service is ready, reloading
// or stopping, and answers the watchdog. Everything is read from the
// environment once; without a service manager every method does nothing
// [sd_notify].
//
// The package decides nothing about the health of a node: its caller does.
package systemd

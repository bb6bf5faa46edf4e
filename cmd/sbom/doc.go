// Command sbom writes the bill of materials of a Go binary as CycloneDX 1.6
// JSON, from the build information that the linker put into it: which modules
// are inside, in which version, with which checksum. It opens no connection.
package main

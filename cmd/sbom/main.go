package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: sbom BINARY > FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "sbom: %v\n", err)
		os.Exit(1)
	}
}

func run(path string, w io.Writer) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bill(info), cdx.SpecVersion1_6)
}

// bill lists the module itself, the standard library and every module that
// was linked, each with the checksum Go verified it by.
func bill(info *debug.BuildInfo) *cdx.BOM {
	b := cdx.NewBOM()
	b.Metadata = &cdx.Metadata{Component: &cdx.Component{BOMRef: "main", Type: cdx.ComponentTypeApplication, Name: info.Main.Path, Version: info.Main.Version}}
	std := strings.TrimPrefix(info.GoVersion, "go")
	list := []cdx.Component{component("std", std, "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, component(m.Path, m.Version, m.Sum))
	}
	needs := make([]string, len(list))
	for i, c := range list {
		needs[i] = c.BOMRef
	}
	b.Components = &list
	b.Dependencies = &[]cdx.Dependency{{Ref: "main", Dependencies: &needs}}
	return b
}

func component(path, version, sum string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + version
	c := cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
	if sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go:sum", Value: sum}}
	}
	return c
}

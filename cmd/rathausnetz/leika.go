package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rathausnetz/federation/leika"
	"rathausnetz/portal"
)

func leikaCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "leika", Short: "LeiKa keys", GroupID: "content"}
	cmd.PersistentFlags().String("data", "", "data folder (default: that of the configuration, else ./data)")
	cmd.AddCommand(leikaShowCommand(), leikaImportCommand())
	return cmd
}

func leikaImportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Check a CSV file with columns leika and name, and keep it: unknown keys then stop a publication", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, _, err := dataFolder(cmd)
			if err != nil {
				return err
			}
			r, err := portal.ImportLeika(dir, args[0])
			if err != nil {
				return err
			}
			if err := giveBack(dir); err != nil {
				return err
			}
			return show(cmd, map[string]any{"keys": r.Len()}, func(w io.Writer) {
				fmt.Fprintf(w, "register with %d keys kept in %s; a running node reads it at its next start\n", r.Len(), dir)
			})
		},
	}
}

func leikaShowCommand() *cobra.Command {
	var register string
	cmd := &cobra.Command{
		Use: "show KEY", Short: "The parts of a key, and the broader keys that are tried after it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := leika.Parse(args[0])
			if err != nil {
				return err
			}
			k := keyOutput{Key: id, URN: id.URN(), Depth: id.Depth(), Instanz: id.Instanz(), Gruppierung: id.Gruppierung(), Objekt: id.Objekt(),
				Verrichtung: id.Verrichtung(), Detail: id.Detail(), National: id.IsNational(), Reserved: id.IsReserved(), Broader: []leika.ID{}}
			for b, ok := id.Broader(); ok; b, ok = b.Broader() {
				k.Broader = append(k.Broader, b)
			}
			dir, _, err := dataFolder(cmd)
			if err != nil {
				return err
			}
			reg, err := portal.OpenLeika(dir, register)
			if err != nil {
				return err
			}
			k.Name, _ = reg.Name(id)
			return show(cmd, k, func(w io.Writer) { printKey(w, k) })
		},
	}
	cmd.Flags().StringVar(&register, "register", "", "a CSV file with columns leika and name (default: the imported one)")
	return cmd
}

type keyOutput struct {
	Key         leika.ID    `json:"leika"`
	Name        string      `json:"name,omitempty"`
	URN         string      `json:"urn"`
	Depth       leika.Depth `json:"depth"`
	Instanz     int         `json:"instanz"`
	Gruppierung int         `json:"gruppierung"`
	Objekt      int         `json:"objekt"`
	Verrichtung int         `json:"verrichtung"`
	Detail      int         `json:"detail"`
	National    bool        `json:"national"`
	Reserved    bool        `json:"reserved,omitempty"`
	Broader     []leika.ID  `json:"broader"`
}

func printKey(w io.Writer, k keyOutput) {
	fmt.Fprintf(w, "%s  %s\n", k.Key, k.Name)
	fmt.Fprintf(w, "  Instanz %02d, Leistungsgruppierung %03d, Objekt %03d, Verrichtung %03d, Detail %03d (%s)\n", k.Instanz, k.Gruppierung, k.Objekt, k.Verrichtung, k.Detail, k.Depth)
	for _, b := range k.Broader {
		fmt.Fprintf(w, "  then %s\n", b)
	}
	if k.Reserved {
		fmt.Fprintln(w, "  reserved for tests: never a real Leistung")
	}
}

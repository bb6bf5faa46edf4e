package hub

import (
	"bytes"
	"encoding/csv"
	"strings"

	"rathausnetz/portal/admin"
)

// spreadsheet sends a table the way office programs open it: UTF-8 with byte
// order mark, separated by semicolons. A cell that a program would take for a
// formula is marked as text.
func spreadsheet(q *admin.Request, name string, table [][]string) (*admin.Answer, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	for _, line := range table {
		for i, cell := range line {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				line[i] = "'" + cell
			}
		}
		if err := w.Write(line); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return q.File(name, "text/csv; charset=utf-8", b.Bytes()), w.Error()
}

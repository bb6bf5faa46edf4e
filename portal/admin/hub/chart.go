package hub

import (
	"fmt"
	"math"
)

// chart is the network map: the hub in the middle, the portals around it in
// the order of the table. It decorates the table beside it and says nothing
// that the table does not [UX.md §8].
type chart struct {
	Width, Height int
	Nodes         []node
	Text          string // for those who do not see it
}

type node struct {
	X, Y, LabelY int
	SignY        int
	Mark, Name   string
	Class        string
	Dash         string // of the line to the middle; "" draws it solid
	Hub          bool
}

// maxChart is the number of portals beyond which a map shows nothing any more.
const maxChart = 60

const perRing = 12

var (
	nodeClass = map[string]string{"success": "pv-node--ok", "warning": "pv-node--alt", "danger": "pv-node--aus", "info": "pv-node--neu"}
	nodeDash  = map[string]string{"success": "", "warning": "8 6", "danger": "2 8", "info": "14 6 2 6"}
)

// newChart lays out the rows, the first of which is the hub; nil for a network
// that a map cannot show.
func newChart(rows []row) *chart {
	others := len(rows) - 1
	if others < 1 || others > maxChart || !rows[0].Now {
		return nil
	}
	rings := (others + perRing - 1) / perRing
	c := &chart{Width: 760, Height: 300 + 150*rings, Text: fmt.Sprintf("Der Knoten in der Mitte, %s darum. Alle Werte stehen auch in der Tabelle.", count(others, "Portal", "Portale"))}
	cx, cy := c.Width/2, c.Height/2
	c.Nodes = append(c.Nodes, place(rows[0], cx, cy))
	c.Nodes[0].Hub = true
	for i, r := range rows[1:] {
		ring := i / perRing
		in := min(perRing, others-ring*perRing)
		angle := 2*math.Pi*float64(i%perRing)/float64(in) - math.Pi/2 + float64(ring)*math.Pi/float64(in)
		share := float64(ring+1) / float64(rings)
		x := float64(cx) + share*float64(cx-110)*math.Cos(angle)
		y := float64(cy) + share*float64(cy-60)*math.Sin(angle)
		c.Nodes = append(c.Nodes, place(r, int(math.Round(x)), int(math.Round(y))))
	}
	return c
}

func place(r row, x, y int) node {
	return node{X: x, Y: y, SignY: y + 7, LabelY: y + 44, Mark: r.Mark, Name: r.Short, Class: nodeClass[r.Badge], Dash: nodeDash[r.Badge]}
}

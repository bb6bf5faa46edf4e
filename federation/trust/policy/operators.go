package policy

import (
	"reflect"
	"strings"
)

// The operators in the order in which they are applied [OIDF §6.1.3.1].
const (
	opValue      = "value"
	opAdd        = "add"
	opDefault    = "default"
	opOneOf      = "one_of"
	opSubsetOf   = "subset_of"
	opSupersetOf = "superset_of"
	opEssential  = "essential"
)

func standard(name string) bool {
	switch name {
	case opValue, opAdd, opDefault, opOneOf, opSubsetOf, opSupersetOf, opEssential:
		return true
	}
	return false
}

// checkValue checks the JSON type of an operator's value.
func checkValue(operator string, v any) error {
	switch operator {
	case opValue:
		return nil // null removes the parameter
	case opDefault:
		if v == nil {
			return bad(operator, "must not be null")
		}
	case opEssential:
		if _, ok := v.(bool); !ok {
			return bad(operator, "must be true or false")
		}
	default:
		list, ok := v.([]any)
		if !ok {
			return bad(operator, "must be an array")
		}
		if len(list) > maxValues {
			return bad(operator, "has too many values")
		}
	}
	return nil
}

// mergeValue merges one operator that superior and subordinate both have.
func mergeValue(operator string, superior, subordinate any) (any, error) {
	switch operator {
	case opValue, opDefault:
		if !reflect.DeepEqual(superior, subordinate) {
			return nil, bad(operator, "superior and subordinate differ")
		}
		return superior, nil
	case opEssential:
		a, _ := superior.(bool)
		b, _ := subordinate.(bool)
		return a || b, nil
	case opAdd, opSupersetOf:
		return union(list(superior), list(subordinate)), nil
	case opOneOf:
		both := intersection(list(superior), list(subordinate))
		if len(both) == 0 {
			return nil, bad(operator, "superior and subordinate have no value in common")
		}
		return both, nil
	default: // subset_of
		return intersection(list(superior), list(subordinate)), nil
	}
}

// combine checks which operators may stand together on one parameter and how
// their values must relate [OIDF §6.1.3.1].
func combine(parameter string, ops Operators) error {
	if _, has := ops[opOneOf]; has {
		for _, other := range []string{opAdd, opSubsetOf, opSupersetOf} {
			if _, both := ops[other]; both {
				return bad(opOneOf, "cannot stand beside "+other)
			}
		}
	}
	if err := combineValue(parameter, ops); err != nil {
		return err
	}
	subset, has := ops[opSubsetOf]
	if !has {
		return nil
	}
	if add, both := ops[opAdd]; both && !within(list(add), list(subset)) {
		return bad(opSubsetOf, "add has values outside it")
	}
	if superset, both := ops[opSupersetOf]; both && !within(list(superset), list(subset)) {
		return bad(opSubsetOf, "superset_of has values outside it")
	}
	return nil
}

// combineValue checks the operator value against the others.
func combineValue(parameter string, ops Operators) error {
	value, has := ops[opValue]
	if !has {
		return nil
	}
	if value == nil {
		if _, both := ops[opDefault]; both {
			return bad(opValue, "null beside default")
		}
		if e, _ := ops[opEssential].(bool); e {
			return bad(opValue, "null beside essential")
		}
	}
	if v, both := ops[opOneOf]; both && !holds(list(v), value) {
		return bad(opValue, "not among one_of")
	}
	values, isList := asList(parameter, value)
	if v, both := ops[opAdd]; both && !(isList && within(list(v), values)) {
		return bad(opValue, "add has values outside it")
	}
	if v, both := ops[opSubsetOf]; both && !(isList && within(values, list(v))) {
		return bad(opValue, "not within subset_of")
	}
	if v, both := ops[opSupersetOf]; both && !(isList && within(list(v), values)) {
		return bad(opValue, "does not hold all of superset_of")
	}
	return nil
}

// apply runs the operators in their order on one parameter.
func (o Operators) apply(parameter string, v any, there bool) (any, bool, error) {
	if value, has := o[opValue]; has {
		v, there = value, value != nil
	}
	if add, has := o[opAdd]; has {
		have, ok := asList(parameter, v)
		if there && !ok {
			return nil, false, fail(opAdd, "the parameter is not a list")
		}
		v, there = asParameter(parameter, union(have, list(add))), true
	}
	if def, has := o[opDefault]; has && !there {
		v, there = def, true
	}
	if set, has := o[opOneOf]; has && there && !holds(list(set), v) {
		return nil, false, fail(opOneOf, "the value is not among those allowed")
	}
	if set, has := o[opSubsetOf]; has && there {
		have, ok := asList(parameter, v)
		if !ok {
			return nil, false, fail(opSubsetOf, "the parameter is not a list")
		}
		v = asParameter(parameter, intersection(have, list(set)))
	}
	if set, has := o[opSupersetOf]; has && there {
		have, ok := asList(parameter, v)
		if !ok || !within(list(set), have) {
			return nil, false, fail(opSupersetOf, "required values are missing")
		}
	}
	if e, _ := o[opEssential].(bool); e && !there {
		return nil, false, fail(opEssential, "the parameter is missing")
	}
	return v, there, nil
}

// asList reads a parameter as a list: scope is a string of words in metadata
// and a list for the operators [OIDF §6.1.3.1].
func asList(parameter string, v any) ([]any, bool) {
	if s, ok := v.(string); ok && parameter == "scope" {
		words := strings.Fields(s)
		out := make([]any, len(words))
		for i, w := range words {
			out[i] = w
		}
		return out, true
	}
	l, ok := v.([]any)
	return l, ok
}

// asParameter is the reverse of asList.
func asParameter(parameter string, values []any) any {
	if parameter != "scope" {
		return values
	}
	words := make([]string, 0, len(values))
	for _, v := range values {
		if s, ok := v.(string); ok {
			words = append(words, s)
		}
	}
	return strings.Join(words, " ")
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func holds(set []any, v any) bool {
	for _, x := range set {
		if reflect.DeepEqual(x, v) {
			return true
		}
	}
	return false
}

func within(a, b []any) bool {
	for _, x := range a {
		if !holds(b, x) {
			return false
		}
	}
	return true
}

func union(a, b []any) []any {
	out := make([]any, 0, len(a)+len(b))
	for _, l := range [][]any{a, b} {
		for _, x := range l {
			if !holds(out, x) {
				out = append(out, x)
			}
		}
	}
	return out
}

func intersection(a, b []any) []any {
	out := make([]any, 0, len(a))
	for _, x := range a {
		if holds(b, x) && !holds(out, x) {
			out = append(out, x)
		}
	}
	return out
}

package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// The two ways in which a policy fails [OIDF §8.9]: it contradicts itself or
// its superior, or the metadata does not satisfy it.
var (
	ErrPolicy   = errors.New("policy: metadata policy invalid")
	ErrMetadata = errors.New("policy: metadata does not satisfy the policy")
)

// Error names the place and the operator. It unwraps to ErrPolicy or ErrMetadata.
type Error struct {
	EntityType, Parameter, Operator string
	Detail                          string
	Err                             error
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%v: %s.%s, operator %s: %s", e.Err, e.EntityType, e.Parameter, e.Operator, e.Detail)
}

// Unwrap returns ErrPolicy or ErrMetadata.
func (e *Error) Unwrap() error { return e.Err }

// Policy is a metadata_policy claim: entity type → parameter → operator →
// value. Policies are values: Merge and Apply never change their arguments.
type Policy map[string]map[string]Operators

// Operators are the operators on one parameter. Only standard ones are kept.
type Operators map[string]any

// Limits of one policy.
const (
	maxEntityTypes = 32
	maxParameters  = 256
	maxValues      = 256
)

// Parse reads the decoded metadata_policy claim and metadata_policy_crit. An
// operator that is not standard is left out, unless critical names it
// [OIDF §6.1.3.2]. Errors wrap ErrPolicy.
func Parse(claim any, critical []string) (Policy, error) {
	for _, name := range critical {
		if !standard(name) {
			return nil, &Error{"*", "*", name, "critical, but not understood here", ErrPolicy}
		}
	}
	types, ok := claim.(map[string]any)
	if !ok || len(types) > maxEntityTypes {
		return nil, &Error{"*", "*", "*", "must be an object of entity types", ErrPolicy}
	}
	p := make(Policy, len(types))
	for t, v := range types {
		params, ok := v.(map[string]any)
		if !ok || len(params) > maxParameters {
			return nil, &Error{t, "*", "*", "must be an object of parameters", ErrPolicy}
		}
		p[t] = make(map[string]Operators, len(params))
		for name, v := range params {
			ops, err := parseOperators(v)
			if err == nil {
				err = combine(name, ops)
			}
			if err != nil {
				return nil, place(err, t, name)
			}
			p[t][name] = ops
		}
	}
	return p, nil
}

// opError is an Error before it knows its place.
type opError struct {
	operator, detail string
	err              error
}

func (e *opError) Error() string { return e.operator + ": " + e.detail }

func bad(operator, detail string) error  { return &opError{operator, detail, ErrPolicy} }
func fail(operator, detail string) error { return &opError{operator, detail, ErrMetadata} }

func place(err error, entityType, parameter string) error {
	var o *opError
	if errors.As(err, &o) {
		return &Error{entityType, parameter, o.operator, o.detail, o.err}
	}
	return err
}

func parseOperators(v any) (Operators, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, bad("*", "must be an object of operators")
	}
	ops := make(Operators, len(m))
	for name, value := range m {
		if !standard(name) {
			continue
		}
		if err := checkValue(name, value); err != nil {
			return nil, err
		}
		ops[name] = value
	}
	return ops, nil
}

// Merge returns superior combined with subordinate [OIDF §6.1.4.1]. Errors
// wrap ErrPolicy and name the operator.
func Merge(superior, subordinate Policy) (Policy, error) {
	out := make(Policy, len(superior)+len(subordinate))
	for t, params := range superior {
		out[t] = maps.Clone(params)
	}
	for t, params := range subordinate {
		if out[t] == nil {
			out[t] = make(map[string]Operators, len(params))
		}
		for name, ops := range params {
			merged, err := mergeOperators(name, out[t][name], ops)
			if err != nil {
				return nil, place(err, t, name)
			}
			out[t][name] = merged
		}
	}
	return out, nil
}

func mergeOperators(parameter string, superior, subordinate Operators) (Operators, error) {
	out := maps.Clone(superior)
	if out == nil {
		out = make(Operators, len(subordinate))
	}
	for name, v := range subordinate {
		above, both := out[name]
		if !both {
			out[name] = v
			continue
		}
		merged, err := mergeValue(name, above, v)
		if err != nil {
			return nil, err
		}
		out[name] = merged
	}
	return out, combine(parameter, out)
}

// Apply returns metadata as it holds under p [OIDF §6.1.4.2]. Entity types that
// metadata does not have stay absent. Errors wrap ErrMetadata.
func (p Policy) Apply(metadata map[string]map[string]any) (map[string]map[string]any, error) {
	out := make(map[string]map[string]any, len(metadata))
	for t, values := range metadata {
		out[t] = maps.Clone(values)
		// A fixed order makes the named operator the same each time.
		for _, name := range slices.Sorted(maps.Keys(p[t])) {
			v, there := out[t][name]
			v, there, err := p[t][name].apply(name, v, there)
			if err != nil {
				return nil, place(err, t, name)
			}
			if there {
				out[t][name] = v
			} else {
				delete(out[t], name)
			}
		}
	}
	return out, nil
}

// Package jsonschema decides whether each document that one JSON Schema allows is allowed by another, and shows one that is not.
//
// Two engines support each other. A structural proof knows rules that are safe, such as "a smaller maximum is within a larger
// one", and may say that it does not know. A seeded generator writes documents around each place where the proof does not know;
// the validator of each version then judges them. A document that one allows and the other refuses is a [Break].
//
//	from, err := jsonschema.Parse(old, "order.json", "", jsonschema.Draft2020, contract.Options{})
//	to, err := jsonschema.Parse(new, "order.json", "", jsonschema.Draft2020, contract.Options{})
//	c := jsonschema.Compare(from, to, contract.Options{Seed: 7})
//
// What was neither proven nor refuted is a gap, and never a pass.
package jsonschema

package rest

import (
	"reflect"
	"slices"
	"strings"
)

// part names the schema of a field in samples, which stands for what is there.
type parts map[string]string

// nulls are the types of fields that are null in every answer of this server,
// where they are no strings.
var nulls = map[string]string{
	"hireable": "boolean", "installation_id": "integer", "repository_id": "integer", "license": "object", "fingerprint": "string",
}

// sample names a schema by objects as the handlers make them: what all have is
// required, and what is null in one may be.
func (s *schemas) sample(name string, named parts, samples ...object) {
	s.named[name] = s.merged(named, samples)
}

func (s *schemas) merged(named parts, samples []object) object {
	values, seen := map[string][]any{}, map[string]int{}
	for _, o := range samples {
		for key, v := range o {
			values[key] = append(values[key], v)
			seen[key]++
		}
	}
	properties, required := object{}, []string{}
	for key, list := range values {
		properties[key] = s.property(named, key, list)
		if seen[key] == len(samples) {
			required = append(required, key)
		}
	}
	slices.Sort(required)
	o := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func (s *schemas) property(named parts, key string, values []any) object {
	var there []any
	for _, v := range values {
		if v != nil {
			there = append(there, v)
		}
	}
	p := object{"type": "string"}
	switch {
	case named[key] != "":
		p = ref(named[key])
	case len(there) > 0:
		p = s.value(named, key, there)
	case nulls[key] != "":
		p = object{"type": nulls[key]}
	}
	if _, isList := there0(there).([]object); isList && named[key] != "" {
		p = list(p)
	}
	if len(there) < len(values) {
		return orNull(p)
	}
	return p
}

func there0(there []any) any {
	if len(there) == 0 {
		return nil
	}
	return there[0]
}

func (s *schemas) value(named parts, key string, there []any) object {
	switch there[0].(type) {
	case object:
		return s.merged(named, all[object](there))
	case []object:
		return list(s.merged(named, slices.Concat(all[[]object](there)...)))
	}
	p := s.of(reflect.TypeOf(there[0]))
	if p["type"] == "string" && (strings.HasSuffix(key, "_at") || key == "since" || key == "until") {
		p["format"] = "date-time"
	}
	return p
}

func all[T any](values []any) []T {
	list := make([]T, len(values))
	for i, v := range values {
		list[i] = v.(T)
	}
	return list
}

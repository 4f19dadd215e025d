package rest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse/internal/packages"
)

// schemas makes the schemas of Go types and of samples.
type schemas struct {
	t     *testing.T
	named object                  // components/schemas
	types map[string]reflect.Type // whose they are
	docs  map[string]string       // TYPE.FIELD → its comment, of this module's packages
	read  map[string]bool         // the packages that were read
}

func newSchemas(t *testing.T) *schemas {
	t.Helper()
	return &schemas{t: t, named: object{}, types: map[string]reflect.Type{}, docs: map[string]string{}, read: map[string]bool{}}
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

func list(of object) object { return object{"type": "array", "items": of} }

// orNull is the schema or null.
func orNull(s object) object {
	if _, isRef := s["$ref"]; isRef {
		return object{"allOf": []any{s}, "nullable": true}
	}
	c := maps.Clone(s)
	c["nullable"] = true
	return c
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

// of is the schema of what encoding/json makes of a type. Structs with a name
// are put among the named schemas.
func (s *schemas) of(t reflect.Type) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == rawType, t.Kind() == reflect.Interface:
		return object{"nullable": true} // any value
	case strings.HasPrefix(t.Name(), "nullable["):
		f, _ := t.FieldByName("Value")
		return orNull(s.of(f.Type))
	}
	switch t.Kind() {
	case reflect.Pointer:
		return orNull(s.of(t.Elem()))
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		return list(s.of(t.Elem()))
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.structOf(t)
	}
	s.t.Fatalf("no schema for %v", t)
	return nil
}

func (s *schemas) structOf(t reflect.Type) object {
	if t.Name() == "" {
		return s.fields(t, true)
	}
	name := dashed(strings.TrimSuffix(t.Name(), "Object"))
	if t == reflect.TypeFor[packages.Grant]() {
		name = "package-grant"
	}
	if of, taken := s.types[name]; taken && of != t {
		s.t.Fatalf("the schema %s is of %v and %v", name, of, t)
	}
	s.types[name] = t
	if _, there := s.named[name]; !there {
		s.named[name] = object{} // it may hold itself
		s.named[name] = s.fields(t, true)
	}
	return ref(name)
}

// body is the schema of a request's body, in which any field may be absent but
// those that are named.
func (s *schemas) body(t reflect.Type, needed []string) object {
	o := s.fields(t, false)
	if len(needed) > 0 {
		o["required"] = needed
	}
	return o
}

// fields is the schema of a struct. With required, fields that are always there
// are said to be.
func (s *schemas) fields(t reflect.Type, required bool) object {
	properties, always := object{}, []string{}
	s.collect(t, properties, &always)
	slices.Sort(always)
	o := object{"type": "object", "properties": properties}
	if required && len(always) > 0 {
		o["required"] = always
	}
	return o
}

func (s *schemas) collect(t reflect.Type, properties object, always *[]string) {
	for f := range fieldsOf(t) {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			s.collect(f.Type, properties, always)
			continue
		case tag == "-", !f.IsExported():
			continue
		case tag == "":
			tag = strings.ToLower(f.Name)
		}
		p := s.of(f.Type)
		if k := f.Type.Kind(); strings.HasSuffix(tag, "_at") && (k == reflect.String || k == reflect.Interface) {
			p["type"], p["format"] = "string", "date-time"
		}
		if doc := s.doc(t, f.Name, tag); doc != "" {
			if _, isRef := p["$ref"]; isRef {
				p = object{"allOf": []any{p}}
			}
			p["description"] = doc
		}
		properties[tag] = p
		if !strings.Contains(options, "omit") && f.Type.Kind() != reflect.Pointer && f.Type != rawType {
			*always = append(*always, tag)
		}
	}
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// doc is the comment on a field, which calls it by its name in JSON.
func (s *schemas) doc(t reflect.Type, field, tag string) string {
	below, ours := strings.CutPrefix(t.PkgPath(), "packhouse/internal/")
	if !ours || t.Name() == "" {
		return ""
	}
	if !s.read[below] {
		s.read[below] = true
		s.readDocs(filepath.Join("..", "..", below))
	}
	text := s.docs[t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]+"."+t.Name()+"."+field]
	return regexp.MustCompile(`\b`+field+`\b`).ReplaceAllLiteralString(text, tag)
}

func (s *schemas) readDocs(dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			s.t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, isType := n.(*ast.TypeSpec)
			if !isType {
				return true
			}
			if st, isStruct := spec.Type.(*ast.StructType); isStruct {
				s.keepDocs(file.Name.Name+"."+spec.Name.Name+".", st)
			}
			return true
		})
	}
}

func (s *schemas) keepDocs(prefix string, st *ast.StructType) {
	for _, f := range st.Fields.List {
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		for _, name := range f.Names {
			s.docs[prefix+name.Name] = strings.Join(strings.Fields(text), " ")
		}
	}
}

// dashed is a Go name as schemas are called: teamRequest is team-request.
func dashed(name string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "$1-$2"))
}

package database

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// values is a Row whose columns were fetched already.
type values []driver.Value

// Scan copies the columns into what dest points to.
func (v values) Scan(dest ...any) error {
	if len(dest) != len(v) {
		return fmt.Errorf("database: %d columns scanned into %d destinations", len(v), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, v[i]); err != nil {
			return fmt.Errorf("database: column %d: %w", i, err)
		}
	}
	return nil
}

var errNull = errors.New("NULL where a value was expected")

// assign stores a value of the driver in what dest points to, by the rules of
// database/sql. The usual pointers are served without reflection; bytes are
// handed over, not copied, since the driver made them for this row.
func assign(dest any, v driver.Value) error {
	switch d := dest.(type) {
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
	case *int64:
		if n, ok := v.(int64); ok {
			*d = n
			return nil
		}
	case *int:
		if n, ok := v.(int64); ok {
			*d = int(n)
			return nil
		}
	case *[]byte:
		if b, ok := v.([]byte); ok || v == nil {
			*d = b
			return nil
		}
	case *bool:
		if n, ok := v.(int64); ok && (n == 0 || n == 1) {
			*d = n == 1
			return nil
		}
	case *any:
		*d = v
		return nil
	case sql.Scanner:
		return d.Scan(v)
	}
	return assignByKind(dest, v)
}

func assignByKind(dest any, v driver.Value) error {
	p := reflect.ValueOf(dest)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("destination %T is not a pointer", dest)
	}
	d := p.Elem()
	if v == nil {
		if k := d.Kind(); k != reflect.Pointer && k != reflect.Slice && k != reflect.Interface {
			return errNull
		}
		d.SetZero()
		return nil
	}
	if d.Kind() == reflect.Pointer {
		fresh := reflect.New(d.Type().Elem())
		if err := assign(fresh.Interface(), v); err != nil {
			return err
		}
		d.Set(fresh)
		return nil
	}
	return assignText(d, v)
}

// assignText goes by way of the value's text, which every kind has.
func assignText(d reflect.Value, v driver.Value) (err error) {
	if rv := reflect.ValueOf(v); rv.Type().AssignableTo(d.Type()) {
		d.Set(rv)
		return nil
	}
	text := asText(v)
	switch d.Kind() {
	case reflect.String:
		d.SetString(text)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, d.Type().Bits())
		d.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n uint64
		n, err = strconv.ParseUint(text, 10, d.Type().Bits())
		d.SetUint(n)
	case reflect.Float32, reflect.Float64:
		var n float64
		n, err = strconv.ParseFloat(text, d.Type().Bits())
		d.SetFloat(n)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		d.SetBool(b)
	case reflect.Slice:
		if d.Type().Elem().Kind() != reflect.Uint8 {
			return fmt.Errorf("cannot store %T in %s", v, d.Type())
		}
		d.SetBytes([]byte(text))
	default:
		return fmt.Errorf("cannot store %T in %s", v, d.Type())
	}
	return err
}

func asText(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return fmt.Sprint(v)
}

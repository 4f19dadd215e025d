package restore

import (
	"testing"

	"packhouse/test/lab"
)

// program is the built packhouse: made once and only read by tests.
var program lab.Program

func TestMain(m *testing.M) { lab.Main(m, &program, nil) }

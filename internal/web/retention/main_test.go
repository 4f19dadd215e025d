package retention_test

import (
	"testing"

	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

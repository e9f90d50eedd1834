package models_test

import (
	"os"
	"testing"

	"hallpass/models/modelstest"
)

func TestMain(m *testing.M) { os.Exit(modelstest.Run(m)) }

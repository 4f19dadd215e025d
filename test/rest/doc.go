// Package rest holds no code but tests: GitHub's official clients for Go and
// JavaScript drive the REST API of the built binary, and every answer is held
// against GitHub's own description of it.
package rest

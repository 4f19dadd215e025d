package rest

import (
	_ "embed"
	"net/http"
)

// description is the OpenAPI file of this API. It is made from the routes and
// what the tests say of each: see TestOpenAPIFile.
//
//go:embed openapi.json
var description []byte

// descriptionRoutes tell about the API itself.
func (h *Handler) descriptionRoutes() []route {
	return []route{
		{"GET", "/openapi.json", h.getDescription, open()},
	}
}

// getDescription is GET /openapi.json. It tells everybody the same.
func (h *Handler) getDescription(c *call) error {
	return c.raw(http.StatusOK, "application/json; charset=utf-8", description)
}

package handlers

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// discovery is where the decision API's parts are, as AuthZEN's metadata names them.
type discovery struct {
	PolicyDecisionPoint string `json:"policy_decision_point"`
	Evaluation          string `json:"access_evaluation_endpoint"`
	Evaluations         string `json:"access_evaluations_endpoint"`
	SearchSubject       string `json:"search_subject_endpoint"`
	SearchResource      string `json:"search_resource_endpoint"`
	SearchAction        string `json:"search_action_endpoint"`
}

// showDiscovery tells programs where to ask. Its addresses are made from the base URL, never from the request: a
// forged Host must not send keys elsewhere.
func (s *server) showDiscovery(c echo.Context) error {
	base := strings.TrimSuffix(s.BaseURL, "/")
	return c.JSON(http.StatusOK, discovery{
		base, base + evaluationPath, base + evaluationsPath, base + searchSubjectPath, base + searchResourcePath, base + searchActionPath,
	})
}

// openAPI describes the decision API to programs and to their authors.
//
//go:embed openapi.json
var openAPI []byte

func showOpenAPI(c echo.Context) error { return c.JSONBlob(http.StatusOK, openAPI) }

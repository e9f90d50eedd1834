// Command client asks Hallpass whether somebody may do something. It exits with 0 if so, with 1 if not, and with 2
// where there is no answer, which an app must take for a no:
//
//	HALLPASS_URL=http://127.0.0.1:8080 HALLPASS_KEY=hp_… go run ./examples/client USER PERMISSION section|school|district ID
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: client USER PERMISSION section|school|district ID")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	may, why, err := may(ctx, os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "no answer:", err)
		os.Exit(2)
	}
	fmt.Println(may, why)
	if !may {
		os.Exit(1)
	}
}

func may(ctx context.Context, user, permission, kind, id string) (may bool, why string, err error) {
	type entity map[string]string
	body, err := json.Marshal(map[string]entity{
		"subject": {"type": "user", "id": user}, "action": {"name": permission}, "resource": {"type": kind, "id": id},
	})
	if err != nil {
		return false, "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("HALLPASS_URL")+"/access/v1/evaluation", bytes.NewReader(body))
	if err != nil {
		return false, "", err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("HALLPASS_KEY"))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return false, "", fmt.Errorf("status %s", res.Status)
	}
	var said struct {
		Decision bool `json:"decision"`
		Context  struct {
			Reason struct {
				English string `json:"en"`
			} `json:"reason_user"`
		} `json:"context"`
	}
	err = json.NewDecoder(res.Body).Decode(&said)
	return said.Decision, said.Context.Reason.English, err
}

package hooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" // GitHub's older signature is made with it
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"net/url"
	"strconv"
)

// request builds what is sent of an attempt. The signatures are of the body as
// it is sent, by the hook's secret.
func request(ctx context.Context, a Attempt, agent string) (*http.Request, error) {
	body, contentType := []byte(a.Payload), "application/json"
	if a.Hook.ContentType == "form" {
		body, contentType = []byte(url.Values{"payload": {string(a.Payload)}}.Encode()), "application/x-www-form-urlencoded"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Hook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	headers := map[string]string{
		"User-Agent": agent, "Accept": "*/*", "Content-Type": contentType,
		"X-GitHub-Event": a.Event, "X-GitHub-Delivery": a.GUID, "X-GitHub-Hook-ID": strconv.FormatInt(a.Hook.ID, 10),
		"X-GitHub-Hook-Installation-Target-ID":   strconv.FormatInt(a.Hook.Target.ID(), 10),
		"X-GitHub-Hook-Installation-Target-Type": string(a.Hook.Kind()),
	}
	if a.Secret != "" {
		headers["X-Hub-Signature"] = "sha1=" + sign(sha1.New, a.Secret, body)
		headers["X-Hub-Signature-256"] = "sha256=" + sign(sha256.New, a.Secret, body)
	}
	for name, value := range headers {
		r.Header[name] = []string{value} // in GitHub's spelling, which is not Go's
	}
	return r, nil
}

func sign(algorithm func() hash.Hash, secret string, body []byte) string {
	mac := hmac.New(algorithm, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Package httpx owns what every HTTP transport of Packhouse needs and none
// should write twice: the one record per request, the limits of connections,
// bodies and downloads, the address of the client, pages, conditional requests,
// and the adapter for handlers that return errors.
//
// It knows no protocol above HTTP, no store and no domain package; errs alone.
package httpx

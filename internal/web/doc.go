// Package web serves the pages by which a person gets in: sign-in by password
// and by an outside provider, sign-up, and personal access tokens. Pages are
// plain HTML without script or style, and work without cookies of others.
//
// Every answer forbids to be kept, framed or sniffed. Requests that change
// something are refused when another site sent the browser here.
package web

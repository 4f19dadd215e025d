// Package browser holds no code but tests: a real Chromium goes through the pages
// of the built binary, in every language that they speak. The journeys are in
// js/journeys, one a file; js/run.mjs goes on them with Playwright.
//
// What the pages looked like is kept in screenshots/, also how they were when a
// step failed.
package browser

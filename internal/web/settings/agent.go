package settings

import "strings"

// readAgent makes something readable of what a browser calls itself. All name
// others whom they imitate, so the order counts. A program that is no browser is
// its first word.
func readAgent(agent string) (client, system string, phone bool) {
	client, system = oneOf(agent, "Edg/", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet", "Vivaldi/", "Vivaldi",
		"Firefox/", "Firefox", "FxiOS/", "Firefox", "CriOS/", "Chrome", "HeadlessChrome/", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari"),
		oneOf(agent, "Windows", "Windows", "iPhone", "iOS", "iPad", "iPadOS", "Android", "Android", "CrOS", "ChromeOS", "Mac OS X", "macOS",
			"FreeBSD", "FreeBSD", "OpenBSD", "OpenBSD", "Linux", "Linux")
	if client == "" && !strings.HasPrefix(agent, "Mozilla/") {
		client, _, _ = strings.Cut(strings.TrimSpace(agent), " ")
		client = client[:min(len(client), 40)]
	}
	return strings.ToValidUTF8(client, ""), system, system == "iOS" || system == "Android"
}

// oneOf returns the name that follows the first mark in the text: marks and names
// by turns.
func oneOf(text string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.Contains(text, pairs[i]) {
			return pairs[i+1]
		}
	}
	return ""
}

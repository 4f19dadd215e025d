package packagepage

import "strings"

// licence writes an SPDX expression as the standard does: operators in capitals,
// single spaces. What is none is shown as it is.
func licence(text string) string {
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
	depth, operand := 0, true // what comes next
	for i, word := range words {
		upper := strings.ToUpper(word)
		switch {
		case word == "(" && operand:
			depth++
		case word == ")" && !operand && depth > 0:
			depth--
		case !operand && (upper == "AND" || upper == "OR" || upper == "WITH"):
			words[i], operand = upper, true
		case operand && identifier(word):
			operand = false
		default:
			return text
		}
	}
	if operand || depth != 0 {
		return text
	}
	return strings.NewReplacer("( ", "(", " )", ")").Replace(strings.Join(words, " "))
}

func identifier(word string) bool {
	for i := range len(word) {
		c := word[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-.+:", rune(c)) {
			return false
		}
	}
	return word != ""
}

// chartVersion is the version of a chart that is pushed under a tag: tags cannot
// hold the plus sign.
func chartVersion(tag string) string { return strings.ReplaceAll(tag, "_", "+") }

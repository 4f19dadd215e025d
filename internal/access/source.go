package access

// MayPublishFrom reports whether p may link what it publishes to the repository
// of f, on which it has f.RepositoryRole: people by the right to write there,
// jobs to their own repository alone.
func MayPublishFrom(p Principal, f Facts) bool {
	if w := p.Workflow; w != nil {
		return !w.Codespace && w.RepositoryID != 0 && w.RepositoryID == f.RepositoryID
	}
	return f.RepositoryID != 0 && !p.Anonymous() && !ssoMissing(p, f) && roleInRepository(p, f).allows(Write)
}

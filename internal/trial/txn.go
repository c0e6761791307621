package trial

// isolationModels are the names of the models of transactions.
func isolationModels() []string { return nil }

// transactions asks which isolation the transactions had.
func (r *Report) transactions(c *Case, model string) error {
	return input("%s: transactions cannot be judged for %s", c.File, model)
}

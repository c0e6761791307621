// Package txn decides which isolation models a history of transactions may be of.
//
// Transactions read lists and append unique values to them, or read and write registers with unique values. Then a read says who
// wrote what it returned, reads say in which order writes took effect, and so which transaction must come before which: it wrote
// what the other overwrote (ww) or read (wr), or it did not see what the other wrote (rw). A cycle among them is an anomaly, and
// each model forbids some cycles:
//
//	h, err := txn.FromOps(ops)
//	res := txn.Check(ctx, h, txn.Serializable)   // res.Verdict, res.Anomalies, res.Not, res.May
//
// The method is that of Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (VLDB 2020).
// Here the search for cycles is exact and polynomial, so that a large tangle of transactions is decided like a small one.
//
// Beside it are checkers of what such systems are tested with: [Bank], [LongFork], [SetFull], [UniqueIDs] and [TotalQueue].
package txn

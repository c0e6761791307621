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
// That no cycle is found proves nothing where the order of versions is not seen: of registers, and of appends that nobody reads.
// There the order of transactions and that of versions are inferred from one another until nothing changes, and then an order of
// the transactions is looked for that explains every read. It is the proof of a pass; where all orders were tried, that is the
// proof of a fail; and where the steps for it did not suffice, the verdict is unknown.
//
// Beside it are checkers of what such systems are tested with: [Bank], [LongFork], [SetFull], [UniqueIDs] and [TotalQueue].
package txn

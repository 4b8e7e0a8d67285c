//
// What is asked is allowed, and charged for. Contract of the rest:
//   - what can fail comes first: own the tables of the range (pagetable_own_range()), cut the VMA at both ends
//     (range_cut()). On failure the charge is given back, and -ENOMEM returned, with nothing changed;
//   - the VMA of [start, end) (which one is that, after the cut?) gets `prot`, and VMA_ACCOUNTED if it was charged;
//   - the entries that exist get new rights (pagetable_update(); pte_with_rights() and pte_rights_bits()). fault_rights()
//     says which: for a page that is ours alone (frame_is_alone()), and for one that is not. A page that is shared since
//     fork, a file's page and the zero page must not become writable here: that is the fault handler's business;
//   - the CPU forgets what it knows of them (tlb_flush_range());
//   - trace_vma(TRACE_PROTECT, &aspace->tree, vma, start, end).
// What stands here takes the order, and does nothing.
//
commit_refund(charges ? pages : 0);
(void)aspace, (void)start, (void)end;
lab_missing("vma", "protect_part");
return 0;

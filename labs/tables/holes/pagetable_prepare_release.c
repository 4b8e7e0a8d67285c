/*
 * [start, end) is about to be released: table_release(), below, will take its entries out, and cannot fail. See to it that
 * it need not.
 *
 * Contract (mm/pagetable.h): afterwards no table in which the release changes an entry is shared: the path to it is ours.
 *   - A table that lies in the range whole goes whole: its entry in the table above is all that changes. It is not copied, nor
 *     is anything below it, however much they are shared. So there is at most one table of each level to own at either
 *     edge of the range. struct stretch (mm/table.h) tells what of an entry lies inside.
 *   - 0, or -ENOMEM with nothing changed that anyone can see.
 *
 * What stands here copies every shared table of the range first, to throw the copies away. It works, as long as there is memory
 * for that; table_release() then takes them out page by page.
 */
int pagetable_prepare_release(struct pagetable *tree, vaddr_t start, vaddr_t end)
{
    uint64_t before = pagetable_copies;
    int error = pagetable_own_range(tree, start, end);

    if (pagetable_copies != before || error)
        lab_missing("tables", "pagetable_prepare_release");
    return error;
}

"""The conformance matrix: each event source against each behaviour, from one table.

`table.py` joins the rows. `test_table.py` sees that no cell is missing; `test_requests.py`, `test_replies.py` and
`test_failures.py` run the cells; `page.py` writes docs/conformance.md.
"""

"""Between protocols: requests, answers, streams, tools, usage and errors, by way of one neutral form.

Pure: no I/O, no policy, no routing. `translator` has what others use of it, and comes with the first call that is
translated. `docs/translation.md` has the table of what is carried over, dropped or refused.
"""

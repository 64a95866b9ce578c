"""Search as R4 defines it: which parameters a type has, what a resource says to them, what a query asks.

``parameters`` names the parameters, ``values`` reads a resource's values for them, ``query`` reads a query
string, ``matching`` answers it over resources in memory; the records adapter answers it in SQL.
Source: R4 ``search.html`` and the search parameter lists of each type's page.
"""

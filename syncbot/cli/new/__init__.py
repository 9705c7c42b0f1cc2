"""`syncbot new`: the files of a small project, written from the templates that lie here."""

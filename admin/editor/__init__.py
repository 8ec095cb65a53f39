"""The editor of a draft: pages made of fields, each of which changes one place of its document."""

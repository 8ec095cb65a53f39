"""The pages: lists, the editor of policies, reviews.  They call services and write no tables."""

"""The store on MongoDB; `store` is its front."""

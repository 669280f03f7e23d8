"""The store on ClickHouse: in this process, on a server, or on a cluster; `store` is its front."""

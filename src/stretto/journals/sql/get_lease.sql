SELECT owner, fence, expires FROM leases WHERE run = ?

UPDATE sessions SET seen = ? WHERE id = ? AND seen <= ?

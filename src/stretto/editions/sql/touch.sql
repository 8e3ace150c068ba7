UPDATE editions SET used = ? WHERE edition = ?

import PostgresModels

/// The code of the article "Transactions", word for word.
enum TransactionsGuide {
    func move(_ amount: Int, from source: Int64, to target: Int64, in database: Database) async throws {
        try await database.transaction { transaction in
            try await transaction.execute("UPDATE accounts SET balance = balance - \(amount) WHERE id = \(source)")
            try await transaction.execute("UPDATE accounts SET balance = balance + \(amount) WHERE id = \(target)")
        }
    }

    func order(_ number: Int64, with code: String, in database: Database) async throws {
        try await database.transaction { transaction in
            try await transaction.execute("INSERT INTO orders (number) VALUES (\(number))")
            do {
                try await transaction.transaction { savepoint in
                    try await savepoint.execute("INSERT INTO vouchers (code) VALUES (\(code))")
                }
            } catch let error as DatabaseError where error.code == .uniqueViolation {
                try await transaction.execute("UPDATE orders SET voucher_refused = true WHERE number = \(number)")
            }
        }
    }

    func sum(in database: Database) async throws -> Int {
        let total = try await database.transaction(
            isolation: .repeatableRead,
            readOnly: true,
            settings: ["statement_timeout": "2min"]
        ) { transaction in
            let rows = try await transaction.query("SELECT coalesce(sum(balance), 0)::bigint AS total FROM accounts")
            return try rows.first?.decode(Int.self, named: "total") ?? 0
        }
        return total
    }

    func reserve(for guest: Int64, in database: Database) async throws {
        try await database.transaction(isolation: .serializable, retrying: 5) { transaction in
            let seats = try await transaction.query("SELECT id FROM seats WHERE taken_by IS NULL LIMIT 1")
            guard let seat = try seats.first?.decode(Int64.self, named: "id") else { throw SoldOut() }
            try await transaction.execute("UPDATE seats SET taken_by = \(guest) WHERE id = \(seat)")
        }
    }

    func order(_ number: Int64, in database: Database, confirmingBy mailer: Mailer) async throws {
        try await database.transaction { transaction in
            try await transaction.execute("INSERT INTO orders (number) VALUES (\(number))")
            transaction.onCommit { await mailer.confirm(number) }
        }
    }

    struct SoldOut: Error {}

    actor Mailer {
        func confirm(_ number: Int64) {}
    }
}

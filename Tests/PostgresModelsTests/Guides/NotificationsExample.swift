import PostgresModels

/// The code of the article "Notifications", word for word.
enum NotificationsGuide {
    func follow(_ database: Database, updating cache: PhotoCache) async throws {
        for try await event in database.listen(to: "photos") {
            switch event {
            case .listening, .gap:
                try await cache.replace(with: database.all(Photo.self))
            case .notification(_, let payload, _):
                guard let id = Int64(payload) else { continue }
                try await cache.update(id, to: database.find(Photo.self, id))
            }
        }
    }

    func rename(_ id: Int64, to title: String, in database: Database) async throws {
        try await database.transaction { transaction in
            try await transaction.execute("UPDATE photos SET title = \(title) WHERE id = \(id)")
            try await transaction.notify("photos", payload: "\(id)")
        }
    }

    @Model("photos")
    struct Photo {
        var id: Int64?
        var title: String
    }

    actor PhotoCache {
        private var photos: [Int64: Photo] = [:]

        func replace(with all: [Photo]) {
            photos = [:]
            for photo in all { photos[photo.id ?? 0] = photo }
        }

        func update(_ id: Int64, to photo: Photo?) {
            photos[id] = photo
        }
    }
}

import { RxdbClient } from './rxdb-client.js'
import { scenarios } from './scenarios.js'

scenarios(RxdbClient)
